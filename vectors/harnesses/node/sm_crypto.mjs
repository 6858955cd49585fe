import smCrypto from 'sm-crypto';

import { sm2Operations } from './sm2.mjs';

export const packageName = 'sm-crypto';
export const operations = sm2Operations(smCrypto.sm2, { der: false });
