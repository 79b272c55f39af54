/** What the product takes of the machine: the newest figures, and their course over the last half hour. */
import type { ResourceSample } from "../../src/domain/service.ts";
import { Sparkline, type Tone } from "./chart.tsx";
import { formatBytes, formatCount } from "./number.ts";

/** Points of a course: more would be too many bytes for a message that comes every few seconds. */
const POINT_COUNT_MAX = 30;

interface Figure {
  readonly id: string;
  readonly label: string;
  readonly tone: Tone;
  readonly of: (sample: ResourceSample) => number | null;
  readonly format: (value: number) => string;
  /** Where the course begins at zero; else at its least, as changes are small beside what is there. */
  readonly fromZero: boolean;
}

const FIGURES: readonly Figure[] = [
  {
    id: "queue",
    label: "Queue",
    tone: "warning",
    of: (sample) => sample.queueDepth,
    format: formatCount,
    fromZero: true,
  },
  {
    id: "cpu",
    label: "CPU",
    tone: "info",
    of: (sample) => sample.cpuShare,
    format: (share) =>
      `${share > 0 && share < 0.1 ? (share * 100).toFixed(1) : Math.round(share * 100)} %`,
    fromZero: true,
  },
  {
    id: "memory",
    label: "Memory",
    tone: "accent",
    of: (sample) => sample.memoryBytes,
    format: formatBytes,
    fromZero: true,
  },
  {
    id: "disk",
    label: "Disk free",
    tone: "ok",
    of: (sample) => sample.diskFreeBytes,
    format: formatBytes,
    fromZero: false,
  },
  {
    id: "database",
    label: "Database",
    tone: "muted",
    of: (sample) => sample.databaseBytes,
    format: formatBytes,
    fromZero: false,
  },
];

/** @param props.queueDepth The one that is known now; the samples are some seconds old. */
export function ResourceList(props: { samples: readonly ResourceSample[]; queueDepth: number }) {
  const { samples, queueDepth } = props;
  return (
    <ul id="resources" class="resources">
      {FIGURES.map((figure) => {
        const values = thin(samples.flatMap((sample) => figure.of(sample) ?? []));
        const newest = figure.id === "queue" ? queueDepth : values.at(-1);
        return (
          <li>
            <span class="resource-name">{figure.label}</span>
            <Sparkline values={figure.fromZero ? values : aboveLeast(values)} tone={figure.tone} />
            <b class="num">{newest === undefined ? "–" : figure.format(newest)}</b>
          </li>
        );
      })}
    </ul>
  );
}

/** The newest value stays as it is; before it, one of every few. */
function thin(values: readonly number[]): number[] {
  const step = Math.ceil(values.length / POINT_COUNT_MAX);
  return values.filter((_, index) => (values.length - 1 - index) % step === 0);
}

function aboveLeast(values: readonly number[]): number[] {
  const least = Math.min(...values);
  return values.map((value) => value - least);
}
