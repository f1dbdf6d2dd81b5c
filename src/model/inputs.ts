/** The schemas of all verbs, for whoever speaks of several. Each stands with its verb; strict throughout, so that a
 * misspelt field is an error and never silently dropped. */
export { TaskIds } from './fields.ts';
export { AcceptResult } from './verbs/accept-result.ts';
export { AddCost } from './verbs/add-cost.ts';
export { AddDiscovery } from './verbs/add-discovery.ts';
export { Answer } from './verbs/answer.ts';
export { Ask } from './verbs/ask.ts';
export { AddTasks, NewTask } from './verbs/add-tasks.ts';
export { CancelTasks } from './verbs/cancel-tasks.ts';
export { Claim } from './verbs/claim.ts';
export { Complete, MAX_RESULT } from './verbs/complete.ts';
export { EditTask } from './verbs/edit-task.ts';
export { Fail } from './verbs/fail.ts';
export { InitBoard } from './verbs/init-board.ts';
export { BeginLanding, BounceTask, LandTask, RenewLanding } from './verbs/land-task.ts';
export { Release } from './verbs/release.ts';
export { RecordCheck } from './verbs/record-check.ts';
export { Renew } from './verbs/renew.ts';
export { ApproveTask, SendBackTask, VerifyTask } from './verbs/review-task.ts';
export { SetDefaults } from './verbs/set-defaults.ts';
export { Acknowledge, Inbox, Tell } from './verbs/tell.ts';
export { WritePlan } from './verbs/write-plan.ts';
