/** The lines of an invoice, one for each item, and the total. */
export function invoiceLines(items) {
  const lines = items.map((item) => {
    const cents = item.cents * item.count;
    const amount = (cents / 100).toFixed(2);
    const grouped = amount.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return `${item.name}: $${grouped}`;
  });
  const total = items.reduce((sum, item) => sum + item.cents * item.count, 0);
  const totalAmount = (total / 100).toFixed(2);
  const totalGrouped = totalAmount.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return [...lines, `Total: $${totalGrouped}`];
}
