/**
 * Bars over time as SVG, drawn on the server. The SVG is stretched to its box, so that only shapes are in it; the
 * words around it are HTML. Each bar says on hover what it stands for, and a table has the same figures.
 */
import type { Tone } from "./chart.tsx";
import { round } from "./chart.tsx";

export interface TimeChartSeries {
  readonly label: string;
  readonly tone: Tone;
  /** One for each span. */
  readonly values: readonly number[];
}

interface TimeChartProps {
  readonly id: string;
  /** What is shown, as a sentence for those who cannot see it. */
  readonly label: string;
  /** Stacked on one another, the first at the bottom. */
  readonly series: readonly TimeChartSeries[];
  /** When each span begins, for people. */
  readonly spans: readonly string[];
  readonly spanLabel: string;
  readonly format: (value: number) => string;
  readonly isWhole?: boolean;
}

const WIDTH = 600;
const HEIGHT = 120;
/** Share of a span that its bar takes. */
const BAR_SHARE = 0.78;

export function TimeChart(props: TimeChartProps) {
  const { id, spans, series, format } = props;
  const sums = spans.map((_, index) => sumAt(series, index));
  const top = niceTop(Math.max(0, ...sums), props.isWhole === true);
  return (
    <div class="tc">
      {series.length < 2 ? null : (
        <ul class="key" aria-hidden="true">
          {series.map(({ label, tone }) => (
            <li>
              <span class={`dot t-${tone}`}></span>
              {label}
            </li>
          ))}
        </ul>
      )}
      <div class="tc-plot" aria-hidden="true">
        <div class="tc-scale">
          <span>{format(top)}</span>
          <span>{format(top / 2)}</span>
          <span>{format(0)}</span>
        </div>
        <svg
          class="tc-svg"
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          focusable="false"
        >
          <path
            class="tc-grid"
            d={`M0 0.5H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT - 0.5}H${WIDTH}`}
          />
          {spans.map((span, index) => (
            <Bar {...props} span={span} index={index} top={top} />
          ))}
        </svg>
        <div class="tc-axis">
          {axis(spans).map((text) => (
            <span>{text}</span>
          ))}
        </div>
      </div>
      <details class="tc-table" id={`${id}-table`}>
        <summary>
          Figures<span class="sr"> of {props.label}</span>
        </summary>
        <div class="table-wrap tc-scroll" tabindex={0} role="region" aria-label={props.label}>
          <FigureTable {...props} />
        </div>
      </details>
    </div>
  );
}

function Bar(props: TimeChartProps & { span: string; index: number; top: number }) {
  const { series, spans, index, top, span, format } = props;
  const pitch = WIDTH / spans.length;
  const scale = top === 0 ? 0 : HEIGHT / top;
  const x = round(index * pitch + (pitch * (1 - BAR_SHARE)) / 2);
  let under = 0;
  const parts = series.map(({ tone, values }) => {
    const value = values[index] ?? 0;
    const height = value * scale;
    under += height;
    return { tone, value, y: HEIGHT - under, height };
  });
  const words = series.map(({ label, values }) => `${label} ${format(values[index] ?? 0)}`);
  return (
    <g class="tc-bar">
      <title>{`${span}: ${words.join(", ")}`}</title>
      <rect class="tc-hit" x={round(index * pitch)} y="0" width={round(pitch)} height={HEIGHT} />
      {parts.map(({ tone, value, y, height }) =>
        value <= 0 ? null : (
          <rect
            class={`tc-fill t-${tone}`}
            x={x}
            y={round(Math.min(y, HEIGHT - 1.5))}
            width={round(pitch * BAR_SHARE)}
            height={round(Math.max(1.5, height))}
          />
        ),
      )}
    </g>
  );
}

/** Newest first; spans in which nothing happened are left out. */
function FigureTable(props: TimeChartProps) {
  const { series, spans, format } = props;
  const rows = spans
    .map((span, index) => ({ span, values: series.map(({ values }) => values[index] ?? 0) }))
    .filter(({ values }) => values.some((value) => value > 0))
    .toReversed();
  return (
    <table class="sums">
      <caption class="sr">{props.label}</caption>
      <thead>
        <tr>
          <th scope="col">{props.spanLabel}</th>
          {series.map(({ label }) => (
            <th scope="col" class="num">
              {label}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.length === 0 ? (
          <tr>
            <td colspan={series.length + 1}>Nothing in this range.</td>
          </tr>
        ) : null}
        {rows.map(({ span, values }) => (
          <tr>
            <th scope="row">{span}</th>
            {values.map((value) => (
              <td class="num">{format(value)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function sumAt(series: readonly TimeChartSeries[], index: number): number {
  return series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0);
}

/** First, middle and last span. */
function axis(spans: readonly string[]): string[] {
  const [first, last] = [spans[0], spans.at(-1)];
  if (first === undefined || last === undefined) return [];
  const middle = spans[Math.floor(spans.length / 2)];
  return spans.length < 3 || middle === undefined ? [first, last] : [first, middle, last];
}

/** The end of the scale: 1, 2 or 5 times a power of ten, just above the largest value. */
function niceTop(max: number, isWhole: boolean): number {
  if (max <= 0) return isWhole ? 2 : 1;
  const power = 10 ** Math.floor(Math.log10(max));
  const top = [1, 2, 4, 5, 10].map((step) => step * power).find((step) => step >= max) ?? max;
  return isWhole ? Math.max(2, Math.ceil(top / 2) * 2) : top;
}
