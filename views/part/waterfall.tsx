import { formatDuration } from "./duration.ts";
import { round } from "./chart.tsx";
import { formatCount } from "./number.ts";

/** More rows than this help nobody; the rest is in the list of steps. */
export const SPAN_COUNT_MAX = 80;
const TICK_COUNT = 4;
const WIDTH = 1000;

export interface Span {
  readonly name: string;
  readonly kind: "step" | "model" | "tool" | "wait";
  /** Milliseconds since the start of the run. */
  readonly startMs: number;
  readonly endMs: number;
  readonly depth: 0 | 1;
  readonly failed: boolean;
  /** Still going on. */
  readonly open: boolean;
  /** To the page of the step. */
  readonly href?: string;
}

const KIND_LABEL: Record<Span["kind"], string> = {
  step: "Step",
  model: "Model call",
  tool: "Tool call",
  wait: "Wait",
};

/**
 * When each step and call began, and how long it took.
 * @param props.isWindow A part of the run: time begins with the first of them, and all are drawn.
 */
export function Waterfall(props: { spans: readonly Span[]; isWindow?: boolean }) {
  const isWindow = props.isWindow === true;
  const spans = isWindow ? props.spans : props.spans.slice(0, SPAN_COUNT_MAX);
  const fromMs = isWindow ? Math.min(...spans.map((span) => span.startMs)) : 0;
  const totalMs = Math.max(1, ...spans.map((span) => span.endMs - fromMs));
  const ticks = Array.from(
    { length: TICK_COUNT + 1 },
    (_, index) => fromMs + (index * totalMs) / TICK_COUNT,
  );
  return (
    <>
      <div class="wf">
        <div class="wf-axis" aria-hidden="true">
          <span></span>
          <div>
            {ticks.map((tick) => (
              <span>{formatDuration(tick)}</span>
            ))}
          </div>
          <span></span>
        </div>
        <ol class="wf-rows">
          {spans.map((span) => (
            <Row span={span} fromMs={fromMs} totalMs={totalMs} />
          ))}
        </ol>
        {props.spans.length > spans.length ? (
          <p class="sub cut">{formatCount(props.spans.length - spans.length)} more not drawn.</p>
        ) : null}
      </div>
      <Legend
        kinds={new Set(spans.map((span) => span.kind))}
        failed={spans.some((s) => s.failed)}
      />
    </>
  );
}

function Row(props: { span: Span; fromMs: number; totalMs: number }) {
  const { span, fromMs, totalMs } = props;
  const kind = span.failed ? "failed" : span.kind;
  const width = Math.max(4, ((span.endMs - span.startMs) / totalMs) * WIDTH);
  const left = Math.min(((span.startMs - fromMs) / totalMs) * WIDTH, WIDTH - width);
  return (
    <li class={`wf-row d${span.depth}`}>
      <span class="wf-name">
        <span class={`dot k-${kind}`}></span>
        {span.href === undefined ? (
          <span class="wf-text">{span.name}</span>
        ) : (
          <a class="wf-text" href={span.href}>
            {span.name}
          </a>
        )}
      </span>
      <svg
        class="wf-track"
        viewBox={`0 0 ${WIDTH} 18`}
        preserveAspectRatio="none"
        aria-hidden="true"
        focusable="false"
      >
        <rect
          class={`wf-bar k-${kind}${span.open ? " open" : ""}`}
          x={round(left)}
          y="4"
          width={round(width)}
          height="10"
          rx="3"
        />
      </svg>
      <span class="wf-dur">
        <span class="sr">
          {KIND_LABEL[span.kind]}
          {span.failed ? ", failed" : ""}, started after {formatDuration(span.startMs)}, took{" "}
        </span>
        {formatDuration(span.endMs - span.startMs)}
      </span>
    </li>
  );
}

function Legend(props: { kinds: ReadonlySet<Span["kind"]>; failed: boolean }) {
  return (
    <ul class="key" aria-label="Legend">
      {[...props.kinds].map((kind) => (
        <li>
          <span class={`dot k-${kind}`}></span>
          {KIND_LABEL[kind]}
        </li>
      ))}
      {props.failed ? (
        <li>
          <span class="dot k-failed"></span>Failed
        </li>
      ) : null}
    </ul>
  );
}
