/** What the leader can do about a task as it stands. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { Task } from '../../../model/task.ts';
import { showDialog } from './state.ts';
import { TextVerb, VerbButton } from './verb.tsx';

interface TaskActionsProps {
  task: Task;
  /** Ids of the tasks that wait for it. */
  dependants: readonly string[];
}

export function TaskActions({ task, dependants }: TaskActionsProps): JSX.Element {
  const { id, status, head } = task;
  const ids = { task_ids: [id] };
  const cascade =
    dependants.length > 0
      ? { also: { label: 'Yes, and all that wait for it', input: { task_ids: [id], cascade: true } } }
      : {};
  const [isSendingBack, setSendingBack] = useState(false);
  return (
    <div class="actions" role="group" aria-label="What can be done">
      {status === 'submitted' && (
        <VerbButton name="approve" input={{ task_id: id, head: head ?? '' }} isMain>
          Approve
        </VerbButton>
      )}
      {status === 'submitted' && (
        <button type="button" aria-expanded={isSendingBack} onClick={() => setSendingBack(!isSendingBack)}>
          Send back …
        </button>
      )}
      {(status === 'failed' || status === 'cancelled') && (
        <VerbButton
          name="retry"
          input={ids}
          isMain
          {...(dependants.length > 0 ? { confirm: 'Retry it?' } : {})}
          {...cascade}
        >
          Retry
        </VerbButton>
      )}
      {status === 'done' && (
        <VerbButton name="reopen" input={ids} confirm="Make it claimable again?">
          Reopen
        </VerbButton>
      )}
      {status === 'claimed' && (
        <VerbButton name="release" input={ids} confirm={`Take it away from ${task.claimed_by}?`}>
          Release
        </VerbButton>
      )}
      {status !== 'done' && (
        <button type="button" onClick={() => showDialog({ kind: 'edit', task })}>
          Edit
        </button>
      )}
      {status !== 'done' && status !== 'cancelled' && (
        <VerbButton
          name="cancel"
          input={ids}
          confirm={
            dependants.length > 0
              ? `Cancel it? ${dependants.join(', ')} ${dependants.length === 1 ? 'waits' : 'wait'} for it.`
              : 'Cancel it?'
          }
          {...cascade}
        >
          Cancel the task
        </VerbButton>
      )}
      {isSendingBack && status === 'submitted' && (
        <TextVerb
          label="What is wrong, and what would be right"
          draft={`send-back ${id}`}
          done={`${id} is sent back`}
          isFirst
          name="send-back"
          inputOf={(reason) => ({ task_id: id, reason })}
          button="Send back"
          onDone={() => setSendingBack(false)}
        />
      )}
    </div>
  );
}
