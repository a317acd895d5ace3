/** Every error that pumice raises on purpose: one sentence saying what, where and what to do. */
export class PumiceError extends Error {
  constructor(message, options) {
    super(message, options);
    this.name = "PumiceError";
  }
}
