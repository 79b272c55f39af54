/**
 * Charts as SVG drawn on the server: geometry in attributes, colour in classes, since the CSP allows
 * no style attribute.
 */
import type { RunState } from "../../src/domain/run.ts";

export type Tone = "critical" | "warning" | "info" | "ok" | "accent" | "muted";
type Point = readonly [x: number, y: number];

const SPARK_WIDTH = 240;
const SPARK_HEIGHT = 40;
const SEGMENTS_WIDTH = 96;
const SEGMENTS_HEIGHT = 6;
const SEGMENT_GAP = 3;
/** More steps than this are drawn as one bar: the segments would be too thin to see. */
const SEGMENT_COUNT_MAX = 16;

/** A line over the buckets of a range; flat at the bottom when nothing happened. */
export function Sparkline(props: { values: readonly number[]; tone: Tone; max?: number }) {
  const values = props.values.length < 2 ? [0, ...props.values, 0].slice(-2) : props.values;
  const max = props.max ?? Math.max(...values);
  const scale = (SPARK_HEIGHT - 6) / (max > 0 ? max : 1);
  const path = smooth(
    values.map((value, index): Point => [
      (index * SPARK_WIDTH) / (values.length - 1),
      SPARK_HEIGHT - 3 - value * scale,
    ]),
  );
  return (
    <svg
      class={`spark t-${props.tone}`}
      viewBox={`0 0 ${SPARK_WIDTH} ${SPARK_HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
      focusable="false"
    >
      <path class="spark-area" d={`${path}L${SPARK_WIDTH} ${SPARK_HEIGHT}L0 ${SPARK_HEIGHT}Z`} />
      <path class="spark-line" d={path} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

/** The steps of a run as equal segments, or as one bar when there are many. */
export function Segments(props: { states: readonly RunState[]; label: string }) {
  const segments =
    props.states.length > SEGMENT_COUNT_MAX ? summarise(props.states) : equal(props.states);
  return (
    <svg
      class="segments"
      width={SEGMENTS_WIDTH}
      height={SEGMENTS_HEIGHT}
      viewBox={`0 0 ${SEGMENTS_WIDTH} ${SEGMENTS_HEIGHT}`}
      role="img"
      aria-label={props.label}
    >
      {segments.map((segment) => (
        <rect
          class={`seg s-${segment.state}`}
          x={round(segment.x)}
          y="0"
          width={round(segment.width)}
          height={SEGMENTS_HEIGHT}
          rx="2"
        />
      ))}
    </svg>
  );
}

interface Segment {
  readonly state: RunState;
  readonly x: number;
  readonly width: number;
}

function equal(states: readonly RunState[]): Segment[] {
  const width = (SEGMENTS_WIDTH - SEGMENT_GAP * (states.length - 1)) / Math.max(1, states.length);
  return states.map((state, index) => ({ state, x: index * (width + SEGMENT_GAP), width }));
}

function summarise(states: readonly RunState[]): Segment[] {
  const unit = SEGMENTS_WIDTH / states.length;
  const done = states.filter((state) => state === "succeeded").length;
  const current = states.find((state) => state !== "succeeded" && state !== "queued");
  const segments: Segment[] = [
    { state: "queued", x: 0, width: SEGMENTS_WIDTH },
    { state: "succeeded", x: 0, width: done * unit },
  ];
  if (current !== undefined)
    segments.push({ state: current, x: done * unit, width: Math.max(4, unit) });
  return segments;
}

/** One decimal is enough for a screen and keeps the page small. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Monotone cubic through the points (Fritsch–Carlson): smooth, and never overshoots the data. */
function smooth(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const slopes = tangents(points);
  let path = `M${round(first[0])} ${round(first[1])}`;
  let from = first;
  rest.forEach((to, index) => {
    if (to[1] === from[1] && slopes[index] === 0 && slopes[index + 1] === 0) {
      // Nothing happened: of several such pieces one line is left below.
      path += `L${round(to[0])} ${round(to[1])}`;
      from = to;
      return;
    }
    const third = (to[0] - from[0]) / 3;
    const leave = from[1] + (slopes[index] ?? 0) * third;
    const arrive = to[1] - (slopes[index + 1] ?? 0) * third;
    path += `C${round(from[0] + third)} ${round(leave)} ${round(to[0] - third)} ${round(arrive)} ${round(to[0])} ${round(to[1])}`;
    from = to;
  });
  return path.replaceAll(/(?:L[\d.]+ [\d.]+)+(?=L)/g, "");
}

/** The points are equally spaced, so the harmonic mean of the neighbouring slopes will do. */
function tangents(points: readonly Point[]): number[] {
  const secants = points.slice(1).map((point, index) => {
    const before = points[index] ?? point;
    return (point[1] - before[1]) / (point[0] - before[0]);
  });
  return points.map((_, index) => {
    const left = secants[index - 1];
    const right = secants[index];
    if (left === undefined || right === undefined) return left ?? right ?? 0;
    return left * right <= 0 ? 0 : (2 * left * right) / (left + right);
  });
}
