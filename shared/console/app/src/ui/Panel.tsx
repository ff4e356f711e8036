// A part of a page, with its title.
import type { ComponentChildren } from "preact";

interface Props {
  title: string;
  aside?: ComponentChildren;
  kind?: string;
  children: ComponentChildren;
}

export function Panel({ title, aside, kind = "", children }: Props) {
  return (
    <section class={`panel ${kind}`} aria-label={title}>
      <header class="panel-head">
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}
