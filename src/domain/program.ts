/** The ports to programs of this machine: run to their end, or talked to. `src/process` implements them. */

export type OutputStream = "stdout" | "stderr";

export interface ProgramRequest {
  /** The program's full path and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Nothing is to be read when left out. */
  readonly stdin?: string;
  /** Open files that the program gets as descriptors 3, 4, …. */
  readonly files?: readonly number[];
  /** The group is killed when this process is gone, SIGKILL included. Not on Windows. */
  readonly lifeline?: boolean;
  /** Of each stream; what comes after is read and dropped. */
  readonly outputBytesMax: number;
  /** Gets what is kept, as it comes. */
  readonly onOutput: (stream: OutputStream, text: string) => void;
}

export interface ProgramExit {
  /** null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Streams of which something was dropped. */
  readonly cut: readonly OutputStream[];
}

export interface Program {
  readonly pid: number;
  /** Resolves when the program has ended, its group is gone and its output was read. */
  readonly exited: Promise<ProgramExit>;
  /** Asks the whole group to end. @returns false where the platform has no such request. */
  ask(): boolean;
  /** Ends the whole group at once. */
  kill(): void;
}

/** Starts a program as the leader of a session, and so of a process group. @throws Error when it cannot be started. */
export type StartProgram = (request: ProgramRequest) => Program;

export interface PipedProgramRequest {
  /** The program's full path and its arguments. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Gets each line of standard error. */
  readonly onLine: (line: string) => void;
}

/** A program that is talked to over its standard input and output. */
export interface PipedProgram {
  readonly pid: number;
  readonly stdout: ReadableStream<Uint8Array>;
  /** Resolves when the program has ended and its group is gone. */
  readonly exited: Promise<void>;
  /** @throws Error when the program does not read any more. */
  write(text: string): Promise<void>;
  /** Tells the program that nothing more will come. */
  closeInput(): void;
  /** Asks the whole group to end. @returns false where the platform has no such request. */
  ask(): boolean;
  /** Ends the whole group at once. */
  kill(): void;
}

/** Starts a program in a process group of its own. @throws Error when it cannot be started. */
export type StartPipedProgram = (request: PipedProgramRequest) => PipedProgram;
