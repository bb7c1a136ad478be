/** An error as a service of AWS answers it: the SDK makes an exception of the class `code` of it. */
export class AwsError extends Error {
  override readonly name = "AwsError";
  readonly code: string;
  readonly status: number;
  /** Further members of the answer, such as the `Item` of a failed condition. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    members: Readonly<Record<string, unknown>> = {},
    status = 400,
  ) {
    super(message);
    this.code = code;
    this.status = status;
    this.members = members;
  }
}

/** A request that no service would try to carry out. */
export const invalid = (message: string): AwsError => new AwsError("ValidationException", message);
