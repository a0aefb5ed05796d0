-- What is written for readers and may change while the site runs, what they think of it, and what they look for.

-- Articles of the knowledge base. `content/kb` is the starting set.
create table kb_article (
    id uuid constraint kb_article_pkey primary key,
    slug text not null
        constraint kb_article_slug_key unique
        constraint kb_article_slug_check check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and length(slug) <= 100),
    category text not null constraint kb_article_category_check check (length(category) between 1 and 60),
    title text not null constraint kb_article_title_check check (length(title) between 1 and 200),
    description text not null constraint kb_article_description_check check (length(description) between 1 and 400),
    tags text[] not null default '{}' constraint kb_article_tags_check check (cardinality(tags) <= 20),
    markdown text not null constraint kb_article_markdown_check check (length(markdown) <= 200000),
    status text not null constraint kb_article_status_check check (status in ('draft', 'published', 'archived')),
    version integer not null default 1 constraint kb_article_version_check check (version > 0),
    -- The hash of the starting article that this text is; none once somebody has written it anew.
    seeded_from bytea,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    published_at timestamptz
);

create index kb_article_category_idx on kb_article (category, title) where status = 'published';

-- Every text an article has had. Nothing here is changed.
create table kb_article_version (
    article_id uuid not null
        constraint kb_article_version_article_id_fkey references kb_article (id) on delete cascade,
    version integer not null,
    title text not null,
    description text not null,
    markdown text not null,
    -- None: it came with the program, or whoever wrote it has left.
    author_id uuid constraint kb_article_version_author_id_fkey references account (id) on delete set null,
    created_at timestamptz not null,
    constraint kb_article_version_pkey primary key (article_id, version)
);

create index kb_article_version_author_id_idx on kb_article_version (author_id) where author_id is not null;

-- "Was this helpful?", one answer a page, network and day. Who answered cannot be told from it.
create table page_feedback (
    path text not null constraint page_feedback_path_check check (length(path) between 1 and 300),
    day date not null,
    visitor bytea not null,
    helpful boolean not null,
    note text constraint page_feedback_note_check check (length(note) between 1 and 1000),
    created_at timestamptz not null,
    constraint page_feedback_pkey primary key (path, day, visitor)
);

create index page_feedback_day_idx on page_feedback (day);

-- What was looked for, counted by day. Words that could be somebody's are not kept.
create table search_asked (
    day date not null,
    words text not null constraint search_asked_words_check check (length(words) between 1 and 80),
    times integer not null,
    found_nothing integer not null,
    constraint search_asked_pkey primary key (day, words)
);
