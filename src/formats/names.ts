/** The names of the formats, apart from what reads and writes them: the command line loads these at every start. */

/** What `--from` may say, where the content leaves it open. */
export const FORMATS = ['coord', 'markdown', 'task-master', 'beads', 'github', 'backlog', 'claude', 'csv'] as const;
export type Format = (typeof FORMATS)[number];

export const EXPORTS = ['json', 'markdown', 'csv'] as const;
export type ExportFormat = (typeof EXPORTS)[number];
