/**
 * The suites that a store passes, for whoever writes one. They run in vitest:
 *
 * ```ts
 * import { storeContract } from 'claude-coord/contract';
 * storeContract('mine', async (now) => openMyStore({ now }));
 * ```
 */
export { fileContract, type OpenFiles } from './files.ts';
export { type Open, storeContract } from './store.ts';
