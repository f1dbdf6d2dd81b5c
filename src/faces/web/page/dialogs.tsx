/** Windows of their own: to add and edit a task, to import a list, to tell workers something, to take the last change back. */
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { ImportPreview } from './import-preview.tsx';
import { type Dialog as Shown, showDialog, type State } from './state.ts';
import { TaskForm } from './task-form.tsx';
import { TextVerb, VerbButton } from './verb.tsx';
import type { Derived } from './derived.ts';

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
            Takes back the last change of the leader that can be taken back: <strong>{dialog.what}</strong>.
          </p>
          <VerbButton name="undo" input={{ what: dialog.what }} isMain onDone={close}>
            Take it back
          </VerbButton>
        </Modal>
      );
  }
}

function Modal({ title, children }: { title: string; children: ComponentChildren }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isLeaving, setLeaving] = useState(false);
  useLayoutEffect(() => {
    const { current } = dialog;
    current?.showModal();
    // So that the focus goes back to where it was.
    return () => current?.close();
  }, []);
  /** What was begun is not thrown away unasked. */
  const leave = (event?: Event): void => {
    event?.preventDefault();
    if (isLeaving || !isBegun(dialog.current)) close();
    else setLeaving(true);
  };
  return (
    <dialog ref={dialog} aria-labelledby="dialog-title" onCancel={leave} onClose={close}>
      <div class="pane-head">
        <h2 id="dialog-title">{title}</h2>
        <button type="button" onClick={() => leave()} aria-label="Close the window">
          Close
        </button>
      </div>
      {isLeaving && (
        <p class="confirm" role="alert">
          Throw away what you have written?
          <button type="button" onClick={close}>
            Throw away
          </button>
          <button type="button" class="main" onClick={() => setLeaving(false)}>
            Go on
          </button>
        </p>
      )}
      {children}
    </dialog>
  );
}

/** Whether somebody has changed a field that is kept nowhere else. */
function isBegun(dialog: HTMLDialogElement | null): boolean {
  const fields = dialog?.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(
    '.task-form input, .task-form textarea',
  );
  return [...(fields ?? [])].some((field) =>
    field.type === 'checkbox' && 'checked' in field
      ? field.checked !== field.defaultChecked
      : field.value !== field.defaultValue,
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
        draft="tell"
        done={dialog.to === 'all' ? 'Sent to all workers' : `Sent to ${dialog.to}`}
        isFirst
        name="tell"
        inputOf={(text) => ({ to: dialog.to, text })}
        button="Send"
        onDone={close}
      />
    </>
  );
}
