/** Time that stands still until a test lets it pass. */
import { onTestFinished, vi } from 'vitest';

/** The timers, the date and the clock that nobody sets, all from one hand; real again when the test ends. */
export function holdTime(start: string): void {
  vi.useFakeTimers({
    now: Date.parse(start),
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'],
  });
  const uptime = vi.spyOn(process, 'uptime').mockImplementation(() => (Date.now() - Date.parse(start)) / 1000);
  onTestFinished(() => {
    uptime.mockRestore();
    vi.useRealTimers();
  });
}

export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}
