/** The argon2id hash of a password, for AGENTS_ADMIN_PASSWORD_HASH. Takes about a tenth of a second. */
export async function hashPassword(password: string): Promise<string> {
  return await Bun.password.hash(password, "argon2id");
}
