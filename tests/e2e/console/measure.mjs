// What the market's page takes: until it is painted, from a trade's record to its pixel, and how many frames it draws
// while updates pour in. Not a test: `setoff bench console` calls it.
import { scenario, words } from "./browser.mjs";

const [what, url, count] = words;

/** Runs in the page: when each new row of the trades was painted, by its size. */
function watchTrades() {
  window.painted = {};
  const look = (row) => {
    const size = row.querySelectorAll("td")[1]?.textContent;
    if (!size || window.painted[size]) return;
    window.painted[size] = Infinity;
    requestAnimationFrame(() => {
      const channel = new MessageChannel(); // behind the frame's paint, so at most a frame too late
      channel.port1.onmessage = () => {
        window.painted[size] = performance.timeOrigin + performance.now();
      };
      channel.port2.postMessage(0);
    });
  };
  const body = document.querySelector(".trades tbody");
  new MutationObserver(() => body.querySelectorAll("tr").forEach(look)).observe(body, {
    childList: true,
    subtree: true,
    characterData: true,
  });
}

/** Runs in the page: the frames that it draws in so many seconds. */
function countFrames(seconds) {
  return new Promise((done) => {
    const times = [];
    const draw = (now) => {
      times.push(now);
      if (now - times[0] < seconds * 1000) requestAnimationFrame(draw);
      else {
        const gaps = times.slice(1).map((time, at) => time - times[at]);
        gaps.sort((one, other) => one - other);
        done({
          frames_a_second: (times.length - 1) / ((times.at(-1) - times[0]) / 1000),
          frame_p99_ms: gaps[Math.floor(gaps.length * 0.99)],
        });
      }
    };
    requestAnimationFrame(draw);
  });
}

const plays = {
  async paint(page) {
    await page.goto(`${url}/console/`);
    await page.getByText("78,020").first().waitFor();
    return page.evaluate(() => ({
      first_paint_ms: performance.getEntriesByName("first-contentful-paint")[0].startTime,
      loaded_bytes: performance
        .getEntriesByType("resource")
        .filter((entry) => entry.name.includes("/console/"))
        .reduce((sum, entry) => sum + entry.transferSize, 0),
    }));
  },
  async fills(page) {
    await page.goto(`${url}/console/`);
    await page.getByText("78,020").first().waitFor();
    await page.evaluate(watchTrades);
    console.error("ready");
    await page.waitForFunction((most) => Object.values(window.painted).filter(Number.isFinite).length >= most, +count, {
      timeout: 120_000,
    });
    return page.evaluate(() => window.painted);
  },
  async frames(page) {
    // First what this browser draws of a page with nothing on it: more than that nobody gets.
    const empty = await page.evaluate(countFrames, Number(count));
    await page.goto(`${url}/console/`);
    await page.locator(".trades tbody tr").nth(20).waitFor();
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable", { timeDomain: "threadTicks" });
    const measure = async () =>
      Object.fromEntries(
        (await session.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]),
      );
    const before = await measure();
    const found = await page.evaluate(countFrames, Number(count));
    const after = await measure();
    // Processor time of the page's thread, whatever else the machine does.
    return {
      empty_page_frames_a_second: empty.frames_a_second,
      empty_page_frame_p99_ms: empty.frame_p99_ms,
      ...found,
      busy_part: (after.TaskDuration - before.TaskDuration) / Number(count),
    };
  },
};

await scenario(plays[what]);
