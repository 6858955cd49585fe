// The errors of section 9: one class, one code for each cause, and no message beyond the code.

export class KmsError extends Error {
  constructor(code) {
    super(code);
    this.name = 'KmsError';
    this.code = code;
  }
}
