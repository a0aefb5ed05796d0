import { expect, test } from '../fixtures.ts';

// What a screen reader is given, once: names, roles and order of the parts every page has.
test('the header', async ({ page }) => {
  await page.goto('/blog');
  await expect(page.getByRole('banner')).toMatchAriaSnapshot(`
    - banner:
      - link "Dev Forge":
        - /url: /
      - navigation "Main":
        - list:
          - /children: equal
          - listitem:
            - link "Features":
              - /url: /features
          - listitem:
            - link "Docs":
              - /url: /docs
          - listitem:
            - link "Pricing":
              - /url: /pricing
          - listitem:
            - link "Enterprise":
              - /url: /enterprise
          - listitem:
            - link "Blog":
              - /url: /blog
      - search:
        - searchbox "Search this site"
      - link "Sign in":
        - /url: /sign-in
      - link "Download":
        - /url: /download
  `);
  await expect(page.getByRole('navigation', { name: 'Main' }).locator('[aria-current]')).toHaveText('Blog');
});

test('the footer', async ({ page }) => {
  await page.goto('/about');
  await expect(page.getByRole('contentinfo')).toMatchAriaSnapshot(`
    - contentinfo:
      - link "Dev Forge":
        - /url: /
      - group "Theme":
        - /children: equal
        - button "System" [pressed]
        - button "Light"
        - button "Dark"
      - navigation "Product":
        - heading "Product" [level=2]
        - list
      - navigation "Learn":
        - heading "Learn" [level=2]
        - list
      - navigation "Company":
        - heading "Company" [level=2]
        - list:
          - listitem:
            - link "About"
          - listitem:
            - link "Contact"
          - listitem:
            - link "Press"
          - listitem:
            - link "Roadmap"
          - listitem:
            - link "Status"
          - listitem:
            - link "Terms"
          - listitem:
            - link "Privacy"
          - listitem:
            - link "Refunds"
          - listitem:
            - link "Data processing"
          - listitem:
            - link "Imprint"
  `);
});

test('the sign-in form', async ({ page }) => {
  await page.goto('/sign-in');
  await expect(page.getByRole('main')).toMatchAriaSnapshot(`
    - main:
      - heading "Sign in" [level=1]
      - textbox "Mail address"
      - textbox "Password"
      - button "Sign in"
  `);
});
