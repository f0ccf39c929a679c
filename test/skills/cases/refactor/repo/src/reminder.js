import { receiptText } from './receipt.js'

// Sent when something is left to pay.
export function reminderText(account){
    if(account.openCents<=0) return receiptText({paidCents:account.paidCents})
    return `Open since ${account.since}: ${Math.floor(account.openCents/100)} dollars`
}
