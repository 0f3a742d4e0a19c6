const ADDRESS = /^(?:[a-zA-Z0-9._-]{1,253}|\[[0-9a-fA-F:.]{2,45}\])(?::\d{1,5})?$/

/** Whether the text is host:port, as a worker advertises itself. Requests go there, so it holds no path and no user. */
export function isWorkerAddress(text: string): boolean {
  return ADDRESS.test(text) && URL.canParse(`http://${text}`)
}
