import { describe, expect, test } from "vitest";
import { followRedirect, isRedirect, type RequestHop } from "./redirect.ts";

const POST: RequestHop = {
  url: new URL("https://a.example/flows/start?key=1"),
  method: "POST",
  headers: {
    accept: "application/json",
    authorization: "Bearer x",
    "content-type": "application/json",
    "x-key": "1",
  },
  body: Uint8Array.of(1),
};

describe("a redirect", () => {
  test.each([301, 302, 303])("with status %d makes a GET without a body of a POST", (status) => {
    expect(followRedirect(POST, status, "next")).toEqual({
      location: "https://a.example/flows/next",
      method: "GET",
      headers: { accept: "application/json", authorization: "Bearer x", "x-key": "1" },
      body: null,
    });
  });

  test.each([307, 308])("with status %d repeats the request", (status) => {
    expect(followRedirect(POST, status, "/next")).toEqual({
      location: "https://a.example/next",
      method: "POST",
      headers: POST.headers,
      body: POST.body,
    });
  });

  test.each(["https://b.example/", "//b.example/", "https://a.example:8443/", "http://a.example/"])(
    "to the other origin %s takes no key along",
    (location) => {
      expect(followRedirect(POST, 307, location)?.headers).toEqual({
        accept: "application/json",
        "content-type": "application/json",
      });
    },
  );

  test.each([null, "http://", "https://a b/"])("to %j leads nowhere", (location) => {
    expect(followRedirect(POST, 302, location)).toBeNull();
  });

  test("is one of five", () => {
    const statuses = Array.from({ length: 100 }, (_, index) => 300 + index);
    expect(statuses.filter(isRedirect)).toEqual([301, 302, 303, 307, 308]);
  });
});
