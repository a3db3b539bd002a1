/**
 * What says that the database is away, starts, is full of others, or did not finish in time, so that the same is worth
 * another try (PostgreSQL, appendix A): connection exceptions (08), too few resources (53), an operator's intervention (57),
 * transactions that stood in each other's way (40), a lock or a pause that took too long (55P03, 25P03).
 */
const sqlStates = /^(08...|53...|57(014|P0[1-5])|40(001|P01)|55P03|25P03)$/;

/** The socket's codes, of a server that cannot be reached or found. */
const socketCodes = new Set([
  ...['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN'],
  ...['ENOTFOUND', 'EAI_AGAIN'],
]);

/** What pg says itself has no code. */
const saidByPg = /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout)/;

/** Whether an error, or what caused it, is the database's being away rather than a mistake of ours. Pure. */
export function isDatabaseAway(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (saidByPg.test(cause.message)) return true;
    if (!('code' in cause) || typeof cause.code !== 'string') continue;
    if (sqlStates.test(cause.code) || socketCodes.has(cause.code)) return true;
  }
  return false;
}
