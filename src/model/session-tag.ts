/**
 * Names a session of Claude Code on a board that others may see: a hash of its id, which tells sessions apart and leads nowhere.
 *
 * @param id  a UUID, as Claude Code gives it
 */
export function sessionTag(id: string): string {
  // FNV-1a, twice from different beginnings: 64 bits, without loading a library for it.
  const half = (seed: number): string => {
    let hash = seed;
    for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01_00_01_93) >>> 0;
    return hash.toString(16).padStart(8, '0');
  };
  return half(0x81_1c_9d_c5) + half(0x9e_37_79_b9);
}
