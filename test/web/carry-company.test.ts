import { describe, expect, it } from 'vitest';
import { carryCompany, withoutCompany } from '../../src/web/carry-company.ts';

const id = '7f1c0a52-9b0e-4a35-8d2f-0c2a3c1e5b10';
const carried = (html: string, here = '/here') => carryCompany(html, id, here);

describe('the company in a page', () => {
  it.each([
    ['a form that posts', '<form method="post" action="/a">', `<form method="post" action="/a?company=${id}">`],
    [
      'one with a query',
      '<form action="/a?b=1" method="post">',
      `<form action="/a?b=1&amp;company=${id}" method="post">`,
    ],
    [
      'one whose method is in capitals',
      '<FORM METHOD="POST" ACTION="/a">',
      `<FORM METHOD="POST" ACTION="/a?company=${id}">`,
    ],
    [
      'one with bare and single quotes',
      "<form method=post action='/a'>",
      `<form method=post action="/a?company=${id}">`,
    ],
    ['a form without an action', '<form method="post">', `<form action="/here?company=${id}" method="post">`],
    ['one with an empty action', '<form method="post" action="">', `<form action="/here?company=${id}" method="post">`],
    ['the address of a button', '<button formaction="/a">', `<button formaction="/a?company=${id}">`],
    ['a request of htmx', '<p hx-get="/a" hx-post="/b">', `<p hx-get="/a?company=${id}" hx-post="/b?company=${id}">`],
    [
      'an address with a place',
      '<form method="post" action="/a#b">',
      `<form method="post" action="/a?company=${id}#b">`,
    ],
    [
      'a tag that holds a >',
      '<form title="a > b" method="post" action="/a">',
      `<form title="a > b" method="post" action="/a?company=${id}">`,
    ],
  ])('stands in %s', (_what, html, expected) => {
    expect(carried(html)).toBe(expected);
  });

  it.each([
    ['a form that asks', '<form action="/search">'],
    ['a link', '<a href="/a" title="action=&quot;/b&quot;">'],
    ['text of a person', '<textarea><form method="post" action="/a"></textarea>'],
    ['a comment', '<!-- <form method="post" action="/a"> -->'],
    ['another site', '<form method="post" action="https://x.example/a">'],
    ['an address that begins like another site', '<form method="post" action="//x.example/a">'],
    ['a form that names a company', '<form method="post" action="/a?company=b&amp;switch=yes">'],
  ])('does not stand in %s', (_what, html) => {
    expect(carried(html)).toBe(html);
  });

  it('of a form without an action leads to the page itself, whose address is text', () => {
    expect(carried('<form method="post">', '/a?q="><b>&company=old&switch=yes')).toBe(
      `<form action="/a?q=&quot;><b>&amp;company=${id}" method="post">`,
    );
  });

  it('can be taken out again', () => {
    expect(withoutCompany(`/a?b=1&company=${id}&switch=yes&c=2`)).toBe('/a?b=1&c=2');
    expect(withoutCompany(`/a?company=${id}`)).toBe('/a');
    expect(withoutCompany('/a')).toBe('/a');
  });
});
