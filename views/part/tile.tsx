/** One key metric: its value, how it has changed, and its course. */
import { Sparkline } from "./chart.tsx";
import { Icon } from "./icon.tsx";
import { formatShort } from "./number.ts";

export type Tier = "critical" | "warning" | "info";

const TIER_LABEL: Record<Tier, string> = { critical: "Critical", warning: "Warning", info: "Info" };

export interface Tile {
  readonly id: string;
  readonly tier: Tier;
  readonly label: string;
  readonly href: string;
  readonly value: string;
  readonly unit?: string;
  readonly delta: Delta;
  readonly note: string;
  readonly values: readonly number[];
  readonly max?: number;
}

interface Delta {
  readonly text: string;
  readonly trend: "up" | "down" | "none";
  readonly tone: "good" | "bad" | "plain";
}

/** @param props.isTiered False where figures are read, not watched: then the tier is not named. */
export function TileItem(props: { tile: Tile; isTiered?: boolean }) {
  const { tile } = props;
  return (
    <li class={`tile tier-${tile.tier}`} id={`tile-${tile.id}`}>
      <div class="tile-head">
        <h3>
          <a href={tile.href}>{tile.label}</a>
        </h3>
        {props.isTiered === false ? null : (
          <span class="tier">
            <Icon name={tile.tier} size={12} />
            <span>{TIER_LABEL[tile.tier]}</span>
          </span>
        )}
      </div>
      <p class="tile-value">
        {tile.value}
        {tile.unit === undefined ? null : <small>{tile.unit}</small>}
      </p>
      <p class="tile-note">
        <span class={`delta ${tile.delta.tone}`}>
          {tile.delta.trend === "none" ? null : <Icon name={tile.delta.trend} size={12} />}
          {tile.delta.text}
        </span>{" "}
        <span>{tile.note}</span>
      </p>
      <Sparkline
        values={tile.values}
        tone={tile.tier}
        {...(tile.max === undefined ? {} : { max: tile.max })}
      />
    </li>
  );
}

/** How a figure has changed. @param options.good The direction that is good news. */
export function difference(
  now: number,
  before: number,
  options: { good: "up" | "down" | "none"; format?: (value: number) => string },
): Delta {
  const { good, format = formatShort } = options;
  if (now === before) return { text: "±0", trend: "none", tone: "plain" };
  const trend = now > before ? "up" : "down";
  const sign = now > before ? "+" : "−";
  const tone = good === "none" ? "plain" : trend === good ? "good" : "bad";
  return { text: `${sign}${format(Math.abs(now - before))}`, trend, tone };
}

export function rateDelta(rate: number | undefined, before: number | undefined): Delta {
  const points = rate === undefined || before === undefined ? 0 : (rate - before) * 100;
  if (Math.abs(points) < 0.05) return { text: "±0", trend: "none", tone: "plain" };
  return points > 0
    ? { text: `+${points.toFixed(1)}`, trend: "up", tone: "good" }
    : { text: `−${Math.abs(points).toFixed(1)}`, trend: "down", tone: "bad" };
}

/** 99.96 is not 100: a failure must stay visible. */
export function percent(rate: number): string {
  const text = (rate * 100).toFixed(1);
  return rate < 1 && text === "100.0" ? "99.9" : text.replace(/\.0$/, "");
}
