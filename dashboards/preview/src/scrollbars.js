import * as itself from 'scrollbars-itself';

const Scrollbars = itself.Scrollbars ?? itself.default?.Scrollbars ?? itself.default;
export { Scrollbars };
export default Scrollbars;
