// A short way to say a panel of lines or bars, for the dashboards that are little more than a list of them.

import { bars, series } from '../panels.mjs';

/** Lines over time. @param {string} title @param {string} about @param {string} none @param {string} unit @param {import('../schema').Target[]} targets @param {object} rest */
export const lines = (title, about, none, unit, targets, rest = {}) => series({ title, about, none, unit, targets, w: 8, ...rest });

/** Bars. @param {string} title @param {string} about @param {string} none @param {string} unit @param {import('../schema').Target[]} targets @param {object} rest */
export const ranks = (title, about, none, unit, targets, rest = {}) => bars({ title, about, none, unit, targets, w: 8, min: 0, ...rest });
