// What our source is held against: Grafana's own schema, of the npm package, and the few shapes of our own.
import type { Panel as ClassicPanel } from '@grafana/schema';

export type Panel = Omit<ClassicPanel, 'gridPos'> & { gridPos: { x: number; y: number; w: number; h: number } };
export type Variable = Record<string, unknown> & { name: string };

export interface Target { expr: string; legend?: string }
export interface Link { title: string; url: string; targetBlank?: boolean }
export interface Shared {
  title: string;
  /** What it shows, and what to make of it. */
  about: string;
  /** What stands there when there is no value. */
  none: string;
  unit: string;
  targets: Target[];
  w?: number;
  h?: number;
  thresholds?: object;
  mappings?: object[];
  colours?: Record<string, string>;
  /** What words of metrics in the legend are called. */
  renamed?: Record<string, string>;
  decimals?: number;
  min?: number;
  max?: number;
  /** Whether it asks something of every site of the country at each step. */
  coarse?: boolean;
  /** Where the panel leads. */
  links?: Link[];
  /** Where each value leads. */
  onward?: Link[];
  /** Of tables: labels that links need and that are not shown. */
  kept?: string[];
}
export interface Column {
  of: string;
  name: string;
  unit?: string;
  mappings?: object[];
  thresholds?: object;
  links?: Link[];
  decimals?: number;
  heat?: boolean;
  gauge?: number;
  width?: number;
}
export interface Context {
  language: 'en' | 'zh';
  /** Chooses the words of the language. */
  t: (en: string, zh: string) => string;
  /** The address of a dashboard of the same language; the places that are chosen here go along, where it has them. */
  to: (board: string, variables?: Record<string, string>) => string;
  /** The address of a page of the console. */
  console: (path: string) => string;
}
export interface Board {
  name: string;
  title: string;
  description: string;
  variables: Variable[];
  panels: Panel[];
  wall?: boolean;
  /** Whether all that it shows lies within the place that is chosen: then what its rows lead to does too. */
  within?: boolean;
}
