import { openMemoryStore } from '../../src/store/open.ts';
import { storeContract } from '../../src/contract/store.ts';

storeContract('memory', async (now) => openMemoryStore('test', now));
