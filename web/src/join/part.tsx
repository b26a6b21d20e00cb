// Taking part: what happens now, in one sentence and a few figures, and the way out.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { PlanText } from '../core/core.ts';
import type { Fault } from '../core/rpc.ts';
import { bytes, number, percent, plural, seconds, spans, tied, Word, word } from '../ui/format.ts';
import { Bar, Figures, Problem, type Trouble } from '../ui/parts.tsx';
import type { Notice, PartnerNews, Withdrawn } from './partner.ts';
import { troubleOf, type Heading, type PartnerRemote } from './steps.ts';

export type Later = typeof import('./later.tsx');

function statusSentence(news: PartnerNews): string {
  const { view, status, phase } = news;
  const rows = news.plan?.table ? 'rows' : 'digits';
  if (phase === 'paused') return 'Paused. Nothing is computed or sent; the federation goes on without you.';
  if (phase === 'left') return 'You have left. Your key and your data were removed from this browser.';
  if (phase === 'elsewhere') return 'Another tab of this browser is taking part; this one waits.';
  if (!view) return 'Starting.';
  if (news.connection === 'lost') return `The coordinator cannot be reached. Nothing is lost; the next try is in ${seconds(Math.max(0.5, (news.retryAt - Date.now()) / 1000))}.`;
  const round = `Round ${view.round || status?.round || 1} of ${view.rounds}.`;
  if (view.activity === 'measuring') return `${round} The sums of your rows are made, for all to scale alike.`;
  if (view.stage === 'training') return `${round} Training on your ${number(view.train_rows)} ${rows}, ${percent(view.progress, 0)} done${news.secondsLeft > 1 ? `, about ${seconds(news.secondsLeft)} left` : ''}.`;
  if (view.activity === 'training') return `${round} The common model is tried on ${number(view.score_rows)} of the ${rows} that you hold out.`;
  if (view.activity === 'fetching') return `${round} The common model is being fetched.`;
  if (view.activity === 'delivering') return `${round} Your update is being sent.`;
  if (view.activity === 'awaiting-receipt') {
    if (!status || status.expected === 0) return `${round} Your update is delivered. The round closes when the others have delivered.`;
    const left = Math.max(0, (status.deadline_ms - Date.now()) / 1000);
    const rest = status.expected - status.delivered;
    return `${round} ${Word(status.delivered)} of ${word(status.expected)} partners have delivered; it closes when ${rest === 1 ? 'the last' : 'the others'} ${rest === 1 ? 'has' : 'have'}${left > 0 && left < 86400 ? `, or in ${seconds(left)}` : ''}.`;
  }
  if (view.activity === 'finished') return view.stage.includes('alone') ? 'The last round is done. For comparison, a model of your data alone is trained for as many rounds.' : `The last round is done. The final model is tried on all the ${rows} that you hold out.`;
  if (!view.model_agreement || !view.update_agreement) return 'The agreements are being signed. Training begins with the next round.';
  return status?.phase === 'waiting' ? `${tied(status.sentence) || 'Waiting for enough partners.'} You need do nothing: training begins by itself.` : `${round} Waiting for the common model.`;
}

function refusedTrouble({ kind, round, code, sentence }: Notice): Trouble {
  if (kind === 'abandoned') return { happened: sentence, safe: 'Your data and your part of it are untouched.', todo: 'The round is tried again with the same model; nothing to do here.', code };
  const todo = 'Nothing: your machine goes on with the next round by itself.';
  if (code === 'update.late') return { happened: `Your update for round ${round} came when that round had closed.`, safe: 'Nothing of it was used, and nothing is wrong with your data.', todo, code };
  return { happened: `Your update for round ${round} was refused: ${sentence.replace(/\.$/, '')}.`, safe: 'Nothing of it was used.', todo, code };
}

export function PartStep({ heading, news, remote, plan, later }: Heading & { news: PartnerNews; remote: PartnerRemote; plan: PlanText | null; later: Later | undefined }) {
  const [asking, setAsking] = useState<'leave' | 'key'>();
  const [trouble, setTrouble] = useState<Trouble>();
  const { view } = news;
  const spoken = useSpoken(statusSentence(news), `${news.phase} ${news.connection} ${news.refused?.round}`);
  useEverySecond();
  const mine = news.status?.participants.find((p) => p.id === news.participant);
  const up = news.crossings.filter((c) => c.outgoing).reduce((sum, c) => sum + c.size, 0);
  const down = news.crossings.filter((c) => !c.outgoing).reduce((sum, c) => sum + c.size, 0);
  const rounds = view?.rounds ?? plan?.rounds ?? 1;
  async function leave() {
    await remote.leave().catch((fault: Fault) => setTrouble(troubleOf(fault, 'The coordinator was not told that you leave.', 'Nothing is computed or sent any more.', 'Press Leave again when the network is back, or close this page: nobody waits for you.')));
    setAsking(undefined);
  }
  // A change of the key that has begun is ended first.
  async function goOn(start: () => Promise<void>) {
    setTrouble(undefined);
    setAsking(undefined);
    await start().catch((fault: Fault) => setTrouble(troubleOf(fault, 'The coordinator has not confirmed the new key.', 'Both keys are kept in this browser, and nothing is sent meanwhile.', 'Press Resume when the network is back.')));
  }
  const away = news.phase === 'left';
  return (
    <>
      <section class="card stack">
        <h1 ref={heading} tabIndex={-1} class="vh">Taking part</h1>
        <p class="sentence" id="sentence">{statusSentence(news)}</p>
        <span class="vh" role="status">{spoken}</span>
        <Bar label="Rounds done" value={Math.min(1, Math.max(0, (view?.round ?? 1) - 1 + (view?.activity === 'training' ? view.progress : view?.activity === 'awaiting-receipt' ? 1 : 0)) / rounds)} />
        <Figures values={[
          ['Examples a second', news.examplesPerSecond > 0 ? number(Math.round(news.examplesPerSecond)) : '–'],
          ['Contributions', number(Math.max(view?.contributions ?? 0, mine?.contributions ?? 0))],
          ['Sent', bytes(up)],
          ['Received', bytes(down)],
        ]} />
        {news.phase === 'failed' && <Problem trouble={{ happened: `Taking part has ended: ${news.failure?.sentence}`, safe: 'Your data is still here and was not sent.', todo: 'Tell the operator the code below, or try again.', code: news.failure?.code ?? 'unknown' }}><div><button type="button" onClick={() => location.reload()}>Try again</button></div></Problem>}
        {news.refused && news.phase !== 'failed' && <Problem trouble={refusedTrouble(news.refused)} />}
        {trouble && <Problem trouble={trouble} />}
        {news.withdrawn && <p>{leftSentence(news.withdrawn)}</p>}
        {!away && (
          <div class="row actions">
            {news.phase === 'paused' ? <button type="button" class="main" onClick={() => void goOn(() => remote.resume())}>Resume</button> : <button type="button" onClick={() => void remote.pause()} disabled={news.phase !== 'running'}>Pause</button>}
            {asking === 'key' ? (
              <>
                <span>Another key in place of yours? What was counted stays; new agreements are signed with it.</span>
                <button type="button" onClick={() => void goOn(() => remote.renewKey())}>Take a new key</button>
                <button type="button" onClick={() => setAsking(undefined)}>Keep it</button>
              </>
            ) : asking === 'leave' ? (
              <>
                <span>Leave for good? The updates that were counted stay in the model.</span>
                <button type="button" onClick={() => void leave()}>Leave</button>
                <button type="button" onClick={() => setAsking(undefined)}>Stay</button>
              </>
            ) : <><button type="button" onClick={() => setAsking('key')}>New key</button><button type="button" onClick={() => setAsking('leave')}>Leave</button></>}
          </div>
        )}
        {news.phase === 'running' && <p class="small soft" id="threads" data-kind={news.threadKind}>This computer trains on {plural(news.threads, 'thread')}.</p>}
        {!away && <p class="small soft">You may close this tab or shut the lid: the federation does not wait for you, and the page goes on from here when you come back.</p>}
      </section>
      {later && <later.Progress news={news} remote={remote} />}
    </>
  );
}

function leftSentence({ rounds, deleted, counting }: Withdrawn): string {
  const models = rounds.length > 0 ? `Your updates are in the models of ${rounds.length === 1 ? 'round' : 'rounds'} ${spans(rounds)}, and stay in them.` : 'No model has an update of yours in it.';
  const gone = deleted.length > 0 ? ` Your updates themselves are stored no more; the ledger says so for ${deleted.length === 1 ? 'round' : 'rounds'} ${spans(deleted)}.` : '';
  return models + gone + (counting > 0 ? ` That of round ${counting} is deleted when the round ends.` : '');
}

const spoken_ms = 15_000;

// What a screen reader is told of the sentence: a change of state at once, the progress now and then, no countdowns.
function useSpoken(sentence: string, state: string): string {
  const [spoken, setSpoken] = useState('');
  const latest = useRef('');
  latest.current = sentence.replace(/, \d+\s% done.*$/, '.').replace(/; the next try .*$/, '; this page tries again by itself.').replace(/, or in [^.]*\./, '.');
  useEffect(() => setSpoken(latest.current), [state]);
  useEffect(() => {
    const timer = setInterval(() => setSpoken(latest.current), spoken_ms);
    return () => clearInterval(timer);
  }, []);
  return spoken;
}

// Times such as "12 s ago" and countdowns go on when nothing else changes.
function useEverySecond(): void {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, []);
}
