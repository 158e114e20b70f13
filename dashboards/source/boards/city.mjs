// A city with its counties.

import * as variables from '../variables.mjs';
import { subtree } from './province.mjs';

/** @param {import('../schema').Context} c @returns {import('../schema').Board} */
export function city(c) {
  const { t } = c;
  return {
    name: 'city',
    title: t('One Network · city', '一张网 · 市'),
    description: t('A city with its counties.', '一个地市及其所辖县。'),
    within: true,
    variables: [variables.province(c, true), variables.city(c), variables.sites('$city')],
    panels: subtree(c, '$city', 'site', t('Counties', '各县')),
  };
}
