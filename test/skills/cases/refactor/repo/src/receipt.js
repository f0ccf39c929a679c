/** The text on a receipt. */
export function receiptText(receipt) {
  const amount = (receipt.paidCents / 100).toFixed(2);
  const grouped = amount.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return `Paid: $${grouped}. Thank you!`;
}
