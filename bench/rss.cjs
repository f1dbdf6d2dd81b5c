// Preloaded by the memory bench: tells the peak resident memory of the process, in kilobytes, on descriptor 3.
process.on('exit', () => require('node:fs').writeSync(3, String(process.resourceUsage().maxRSS)));
