import { AppError } from "../../../src/domain/error.ts";

/** The code that a promise is rejected with; `fulfilled` when it is not rejected. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return "fulfilled";
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
}
