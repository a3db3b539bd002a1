/** Google said yes, and still nothing could be connected. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError';
  readonly code:
    | 'send_not_granted'
    | 'no_refresh_token'
    | 'other_account'
    | 'personal_taken'
    | 'mailbox_gone'
    | 'not_allowed';
  /** The account that was chosen at Google. */
  readonly email: string;
  /** The account that was expected, where there is one. */
  readonly expected: string | null;

  constructor(code: ConnectError['code'], email: string, expected: string | null = null) {
    super(`The mailbox was not connected: ${code}`);
    this.code = code;
    this.email = email;
    this.expected = expected;
  }
}
