// What was read of L1 and cannot change any more, kept by this browser (IndexedDB) so that it is read once. Where that
// cannot be had, as in private windows of some, it is read again.
const NAME = "setoff-l1";
const STORE = "logs";

let opened: Promise<IDBDatabase | undefined> | undefined;

function open(): Promise<IDBDatabase | undefined> {
  opened ??= new Promise((done) => {
    try {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE);
      request.onsuccess = () => done(request.result);
      request.onerror = request.onblocked = () => done(undefined);
    } catch {
      done(undefined);
    }
  });
  return opened;
}

export async function recall<T>(key: string): Promise<T | undefined> {
  const database = await open();
  if (!database) return undefined;
  return new Promise((done) => {
    const request = database.transaction(STORE).objectStore(STORE).get(key);
    request.onsuccess = () => done(request.result as T | undefined);
    request.onerror = () => done(undefined);
  });
}

export async function keep(key: string, value: unknown): Promise<void> {
  const database = await open();
  if (!database) return;
  await new Promise<void>((done) => {
    const transaction = database.transaction(STORE, "readwrite");
    transaction.objectStore(STORE).put(value, key);
    transaction.oncomplete = transaction.onerror = transaction.onabort = () => done();
  });
}
