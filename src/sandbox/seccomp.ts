/**
 * A system call filter for what namespaces do not keep apart: keyrings, virtual machine sockets, new
 * namespaces, kernel interfaces that no ordinary program needs, and memory that belongs to no process
 * and so would not be counted. Classic BPF, as seccomp(2) takes it.
 */

const ARCHITECTURES = {
  x64: { audit: 0xc000003e, socket: 41, socketpair: 53, clone: 56, foreignFrom: 0x40000000 },
  arm64: { audit: 0xc00000b7, socket: 198, socketpair: 199, clone: 220, foreignFrom: undefined },
} as const;
type Architecture = keyof typeof ARCHITECTURES;

/** Refused with EPERM: [x64, arm64]. */
const FORBIDDEN: readonly (readonly [x64: number, arm64: number])[] = [
  [165, 40], // mount
  [166, 39], // umount2
  [155, 41], // pivot_root
  [272, 97], // unshare
  [308, 268], // setns
  [428, 428], // open_tree
  [429, 429], // move_mount
  [430, 430], // fsopen
  [431, 431], // fsconfig
  [432, 432], // fsmount
  [433, 433], // fspick
  [442, 442], // mount_setattr
  [248, 217], // add_key
  [249, 218], // request_key
  [250, 219], // keyctl
  [246, 104], // kexec_load
  [298, 241], // perf_event_open
  [304, 265], // open_by_handle_at
  [321, 280], // bpf
  [323, 282], // userfaultfd
];

/** Answered as by a kernel that does not have them (ENOSYS), so that programs take another way. */
const ABSENT: readonly (readonly [x64: number, arm64: number])[] = [
  [435, 435], // clone3: its flags are behind a pointer, which a filter cannot follow
  [425, 425], // io_uring_setup
  [426, 426], // io_uring_enter
  [427, 427], // io_uring_register
  [29, 194], // shmget
  [319, 279], // memfd_create
  [447, 447], // memfd_secret
];

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: the kinds that a network namespace confines. */
const SOCKET_FAMILIES = [1, 2, 10, 16];
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NAMESPACE_FLAGS = 0x7e020000;

const LOAD = 0x20;
const IF_EQUAL = 0x15;
const IF_AT_LEAST = 0x35;
const IF_ANY_BIT = 0x45;
const RETURN = 0x06;
const NUMBER_OFFSET = 0;
const ARCHITECTURE_OFFSET = 4;
const FIRST_ARGUMENT_OFFSET = 16;
const ALLOW = 0x7fff0000;
const refuse = (errno: number) => 0x00050000 + errno;
const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const INSTRUCTION_BYTES = 8;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

/** The filter for an architecture; undefined for one that it is not written for. */
export function seccompFilter(architecture: string): Uint8Array | undefined {
  return isKnown(architecture) ? assemble(instructions(architecture)) : undefined;
}

function isKnown(name: string): name is Architecture {
  return Object.hasOwn(ARCHITECTURES, name);
}

function instructions(name: Architecture): Instruction[] {
  const { audit, socket, socketpair, clone, foreignFrom } = ARCHITECTURES[name];
  const column = name === "x64" ? 0 : 1;
  const answer = (number: number, result: number): Instruction[] => [
    [IF_EQUAL, 0, 1, number],
    [RETURN, 0, 0, result],
  ];
  const families: Instruction[] = SOCKET_FAMILIES.map((family, index) => [
    IF_EQUAL,
    SOCKET_FAMILIES.length - index,
    0,
    family,
  ]);
  const socketRule = (number: number): Instruction[] => [
    [IF_EQUAL, 0, families.length + 3, number],
    [LOAD, 0, 0, FIRST_ARGUMENT_OFFSET],
    ...families,
    [RETURN, 0, 0, refuse(EAFNOSUPPORT)],
    [RETURN, 0, 0, ALLOW],
  ];
  return [
    [LOAD, 0, 0, ARCHITECTURE_OFFSET],
    // System calls of another architecture (32-bit programs) have other numbers.
    [IF_EQUAL, 1, 0, audit],
    [RETURN, 0, 0, refuse(EPERM)],
    [LOAD, 0, 0, NUMBER_OFFSET],
    ...(foreignFrom === undefined
      ? []
      : ([
          [IF_AT_LEAST, 0, 1, foreignFrom],
          [RETURN, 0, 0, refuse(EPERM)],
        ] satisfies Instruction[])),
    ...FORBIDDEN.flatMap((numbers) => answer(numbers[column], refuse(EPERM))),
    ...ABSENT.flatMap((numbers) => answer(numbers[column], refuse(ENOSYS))),
    ...socketRule(socket),
    ...socketRule(socketpair),
    [IF_EQUAL, 0, 3, clone],
    [LOAD, 0, 0, FIRST_ARGUMENT_OFFSET],
    [IF_ANY_BIT, 0, 1, NAMESPACE_FLAGS],
    [RETURN, 0, 0, refuse(EPERM)],
    [RETURN, 0, 0, ALLOW],
  ];
}

function assemble(program: readonly Instruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES);
  const view = new DataView(bytes.buffer);
  program.forEach(([code, ifTrue, ifFalse, value], index) => {
    const offset = index * INSTRUCTION_BYTES;
    view.setUint16(offset, code, true);
    view.setUint8(offset + 2, ifTrue);
    view.setUint8(offset + 3, ifFalse);
    view.setUint32(offset + 4, value, true);
  });
  return bytes;
}
