/** Windows of their own: to add and edit a task, to import a list, to tell workers something, to take the last change back. */
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { MAX_MESSAGE } from '../../../model/limits.ts';
import { ImportPreview } from './import-preview.tsx';
import { type Dialog as Shown, showDialog, type State } from './state.ts';
import { TaskForm } from './task-form.tsx';
import { TextVerb, VerbButton } from './verb.tsx';
import type { Derived } from './derived.ts';
import { lastChangeOf } from './top.tsx';

const close = (): void => showDialog(undefined);

export function Dialogs({ state, derived }: { state: State; derived: Derived }): JSX.Element | null {
  const { dialog } = state;
  if (!dialog || state.isReadOnly) return null;
  switch (dialog.kind) {
    case 'add':
      return (
        <Modal title="Add a task">
          <TaskForm task={undefined} onDone={close} />
        </Modal>
      );
    case 'edit':
      return (
        <Modal title={`Edit ${dialog.task.id}`}>
          <TaskForm task={dialog.task} onDone={close} />
        </Modal>
      );
    case 'import':
      return (
        <Modal title={`Import ${dialog.file.name}`}>
          <ImportPreview file={dialog.file} onDone={close} />
        </Modal>
      );
    case 'tell':
      return (
        <Modal title="Tell workers">
          <TellForm dialog={dialog} derived={derived} />
        </Modal>
      );
    case 'undo':
      return (
        <Modal title="Undo">
          <p>
            Takes back what was done last: <strong>{lastChangeOf(state)?.what ?? 'nothing'}</strong>.
          </p>
          <VerbButton name="undo" input={{}} isMain onDone={close}>
            Take it back
          </VerbButton>
        </Modal>
      );
  }
}

function Modal({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    // So that the focus goes back to where it was.
    return () => current?.close();
  }, []);
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onClose={close}>
      <div class="pane-head">
        <h2 id="dialog-title">{title}</h2>
        <button type="button" onClick={close} aria-label="Close the window">
          Close
        </button>
      </div>
      {children}
    </dialog>
  );
}

/** To one of those who work, or worked, on something here; or to all. */
function TellForm({ dialog, derived }: { dialog: Extract<Shown, { kind: 'tell' }>; derived: Derived }): JSX.Element {
  const workers = new Set([...derived.byId.values()].flatMap(({ claimed_by }) => claimed_by ?? []));
  if (dialog.to !== 'all') workers.add(dialog.to);
  return (
    <>
      <label class="field">
        To
        <select value={dialog.to} onChange={(event) => showDialog({ kind: 'tell', to: event.currentTarget.value })}>
          <option value="all">all workers</option>
          {[...workers].toSorted().map((worker) => (
            <option key={worker} value={worker}>
              {worker}
            </option>
          ))}
        </select>
      </label>
      <TextVerb
        label="Message"
        most={MAX_MESSAGE}
        name="tell"
        inputOf={(text) => ({ to: dialog.to, text })}
        button="Send"
        onDone={close}
      />
    </>
  );
}
