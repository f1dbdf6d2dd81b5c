/** A question and its answer, as agents and people read them: what others have written is fenced. */
import { answerTo, type Question } from '../questions.ts';
import { labelled } from '../text.ts';

/**
 * @param now  ISO 8601 UTC
 * @param most  bytes of each of the two texts
 * @param rest  where all of it is, for what is cut off
 */
export function questionText(question: Question, now: string, most?: number, rest?: string): string[] {
  const { text, by, default: fallback, due } = question;
  const answer = answerTo(question, now);
  const label = !answer
    ? undefined
    : answer.by === null
      ? 'Nobody answered in time, so this holds'
      : `Answer of ${answer.by}`;
  return [
    ...labelled(`Question of ${by}`, text, most, rest),
    ...(answer && label !== undefined
      ? labelled(label, answer.text, most, rest)
      : [
          'Nobody has answered it yet.',
          ...(fallback === undefined ? [] : labelled(`From ${due} on this holds`, fallback, most, rest)),
        ]),
  ];
}
