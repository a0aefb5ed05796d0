import { defineConfig, type PlaywrightTestOptions } from '@playwright/test';
import { baseUrl, chromium } from './environment.ts';

// The files each project runs. A check that does not depend on theme, width or script stands in one
// project only; what does depend on them is run in each, so that no test has to skip itself.
const inBothThemes = /(pages|theme)\.spec\.ts/;
const onDesktop = /(pages|layout|home|theme|gallery|accounts|journey|buying|licenses|keyboard|snapshots|palette|support|features|contact)\.spec\.ts/;
const onPhone = /(pages|home|theme|accounts|phone)\.spec\.ts/;
const withoutScript = /(reading|theme|accounts|search)\.spec\.ts/;
const overHttp = /(assets|headers|links|redirects|tokens|stripe-sdk|docs-examples|publishing|html)\.spec\.ts/;

const desktop: Partial<PlaywrightTestOptions> = { viewport: { width: 1280, height: 800 } };

export default defineConfig({
  testDir: './tests',
  outputDir: './test-results',
  fullyParallel: true,
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: 60_000,
  reporter: [['list']],
  use: {
    baseURL: baseUrl,
    browserName: 'chromium',
    trace: 'retain-on-failure',
    contextOptions: { reducedMotion: 'reduce' },
    launchOptions: {
      executablePath: chromium,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    { name: 'setup', testMatch: /sign-in\.setup\.ts/, use: desktop },
    {
      name: 'desktop-light',
      testMatch: onDesktop,
      dependencies: ['setup'],
      use: { ...desktop, colorScheme: 'light' },
    },
    {
      name: 'desktop-dark',
      testMatch: inBothThemes,
      dependencies: ['setup'],
      use: { ...desktop, colorScheme: 'dark' },
    },
    {
      name: 'phone',
      testMatch: onPhone,
      dependencies: ['setup'],
      use: {
        viewport: { width: 360, height: 740 },
        deviceScaleFactor: 2,
        hasTouch: true,
        isMobile: true,
        colorScheme: 'light',
      },
    },
    {
      name: 'nojs',
      testMatch: withoutScript,
      dependencies: ['setup'],
      use: { ...desktop, colorScheme: 'light', javaScriptEnabled: false },
    },
    { name: 'http', testMatch: overHttp, dependencies: ['setup'] },
  ],
});
