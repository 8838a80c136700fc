import {
  collectDefaultMetrics,
  Counter as PromCounter,
  Gauge as PromGauge,
  Histogram as PromHistogram,
  Registry,
} from 'prom-client';

/** Values for the labels `L` of a metric; a metric without labels takes `{}`. */
export type Labels<L extends string> = Readonly<Record<L, string | number>>;

/** Counts up. Name it `ingot_<part>_<things>_total`. */
export interface Counter<L extends string = never> {
  /** Adds `by` (default 1, never negative). */
  inc(labels: Labels<L>, by?: number): void;
}

/** Goes up and down. */
export interface Gauge<L extends string = never> {
  set(labels: Labels<L>, value: number): void;
  /** Forgets what `labels` was set to: it is not exposed any more. */
  remove(labels: Labels<L>): void;
}

/** Counts observations in buckets. */
export interface Histogram<L extends string = never> {
  observe(labels: Labels<L>, value: number): void;
}

export interface MetricOptions<L extends string> {
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  readonly labels?: readonly L[];
}

export interface GaugeOptions<L extends string> extends MetricOptions<L> {
  /** Called at each scrape, to set the gauge just in time. */
  readonly collect?: (gauge: Gauge<L>) => void | Promise<void>;
}

export interface HistogramOptions<L extends string> extends MetricOptions<L> {
  /** Upper bounds, ascending. Default: 5 ms to 10 s, for seconds. */
  readonly buckets?: readonly number[];
}

/** The metrics of one daemon. A name can be taken once: a second metric of the same name throws. */
export interface Metrics {
  counter<const L extends string = never>(options: MetricOptions<L>): Counter<L>;
  gauge<const L extends string = never>(options: GaugeOptions<L>): Gauge<L>;
  histogram<const L extends string = never>(options: HistogramOptions<L>): Histogram<L>;
  /** Everything in the Prometheus text format, of media type `contentType`. */
  text(): Promise<string>;
  readonly contentType: string;
}

/** Makes a registry of its own; `processMetrics` adds CPU, memory, event-loop delay and file descriptors. */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry });
  const common = <L extends string>({ name, help, labels = [] }: MetricOptions<L>) => ({
    name,
    help,
    labelNames: labels,
    registers: [registry],
  });
  return {
    counter: (counterOptions) => {
      const counter = new PromCounter(common(counterOptions));
      return { inc: (labels, by) => counter.inc(labels, by) };
    },
    gauge: (gaugeOptions) => {
      const { collect } = gaugeOptions;
      const gauge: PromGauge = new PromGauge({
        ...common(gaugeOptions),
        ...(collect === undefined ? {} : { collect: () => collect(own) }),
      });
      const own: Gauge<string> = {
        set: (labels, value) => gauge.set(labels, value),
        remove: (labels) => gauge.remove(labels),
      };
      return own;
    },
    histogram: (histogramOptions) => {
      const { buckets } = histogramOptions;
      const histogram = new PromHistogram({
        ...common(histogramOptions),
        ...(buckets === undefined ? {} : { buckets: [...buckets] }),
      });
      return { observe: (labels, value) => histogram.observe(labels, value) };
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}
