export { createApp } from "./app.js";
export { charge, quote } from "./payment.js";
export { findSailings, seatsLeft } from "./sailings.js";
