// The last release before the fix of GHSA-pgx9-497m-6c4v: the vectors have to find that fault.

import smCrypto from 'sm-crypto-0.3.13';

import { sm2Operations } from './sm2.mjs';

export const packageName = 'sm-crypto-0.3.13';
export const operations = sm2Operations(smCrypto.sm2, { der: false });
