import { authenticate, login, logout } from "./auth.js";
import { charge } from "./payment.js";
import { findSailings } from "./sailings.js";

export function createApp({ users, sailings, gateway, now = Date.now }) {
  return async function handle({ method, path, query = {}, headers = {}, body = {} }) {
    switch (`${method} ${path}`) {
      case "GET /sailings":
        return { status: 200, body: findSailings(sailings, query) };
      case "POST /login": {
        const session = login(users, body.name, body.password, now());
        if (!session) return { status: 401, body: { error: "wrong name or password" } };
        const cookie = `session=${session}; HttpOnly; SameSite=Lax; Path=/`;
        return { status: 200, headers: { "set-cookie": cookie }, body: { name: body.name } };
      }
      case "POST /logout":
        logout(sessionOf(headers));
        return { status: 204 };
    }

    const user = authenticate(sessionOf(headers), now());
    if (!user) return { status: 401, body: { error: "sign in first" } };
    switch (`${method} ${path}`) {
      case "GET /me":
        return { status: 200, body: user };
      case "POST /orders": {
        const result = await charge(body.items, body.card, gateway);
        return result.ok ? { status: 201, body: result.receipt } : { status: 402, body: result };
      }
      default:
        return { status: 404, body: { error: "no such page" } };
    }
  };
}

function sessionOf(headers) {
  return /(?:^|;\s*)session=([^;]+)/.exec(headers.cookie ?? "")?.[1];
}
