/** Asks the bank to pay out; resolves with its receipt, rejects when the bank declines. */
export async function payOut(bank, account, cents) {
  const receipt = await bank.send({ account, cents });
  if (!receipt.ok) throw new Error(`declined: ${receipt.reason}`);
  return receipt;
}
