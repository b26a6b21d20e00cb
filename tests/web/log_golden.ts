// Made by tests/golden/make_proof.go: the log of the digits plan whose coordinator has the seed of thirty-two ones.
export const three = "entente-log/digits-demo\n3\nlPvQ3YNvUDAWkubQ6t5yjuGexSv/8WBu2AfIV11aqhk=\n\n\u2014 entente-log/digits-demo gGKDK/mmC6e2E3KPAbUUxZ/K3GkzQuFXC4BBieGFTKr3CfOemLW4ODkns4957vqRiGpQc+HbOJCvtizWOjXydnamwAc=\n";
export const nine = "entente-log/digits-demo\n9\nJA2btqVfDLN1tdAIJR5xRUWLexrchGOrj+92/RT3X2s=\n\n\u2014 entente-log/digits-demo gGKDK7DfJ7OA6plF8PBhtazF7CaE1d+e8s2hMcMJx9fYh0tLaTyZMLFufXuad0aSc0xPlXX3xpjEoMxa+DMG25xyAQo=\n";
export const fork = "entente-log/digits-demo\n9\n4A49pP2vqIeYDhTxSiXg/xHJDklbcu/ypk+qXBZCswc=\n\n\u2014 entente-log/digits-demo gGKDK1hv1UN1pJY1UdIPjamkazdr1Caiihzf13uhWMq2m3WkoEgEY8uZ1yo0ff//MlbpyICyDjuJKVuvtU/bUjQd6gE=\n";
export const way = [
  '57c79f4f31ae029c5d4bd30b073c27c94df93438b2b4697e1e1eef5bc0394a41',
  '61ca1139f6815841d5baf2d0d2d9bd9dfee97c898dd6f7ba0c0aa941ee6c01eb',
  '5a47662fd8a317d96049a3f9f47c55dc67ca66051baa3683dbb19b2fe09a07b0',
  '1a167fbc6b82c2a744f6ffa0a6276175edb00bd30592a5e74f7a21a9d203a828',
  '94910e42789c1962450908451ff9b1c050a7d6cde7d4d2d4e97f2f7509694b9f',
];
