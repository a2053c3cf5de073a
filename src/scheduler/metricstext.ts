// Families of the scheduler's metrics as lines for Prometheus.

export function family(
  name: string,
  type: string,
  help: string,
  lines: (name: string) => readonly string[],
): string[] {
  const full = `scheduler_${name}`
  return [`# HELP ${full} ${help}`, `# TYPE ${full} ${type}`, ...lines(full)]
}

/** A label's value. */
export const escaped = (text: string): string =>
  text.replace(/[\\"\n]/g, (c) => (c === '\n' ? '\\n' : `\\${c}`))
