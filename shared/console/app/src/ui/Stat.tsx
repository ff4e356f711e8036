// One figure with its name.
interface Props {
  name: string;
  value: string;
  about?: string;
  tone?: string;
}

export function Stat({ name, value, about, tone = "" }: Props) {
  return (
    <div class="stat">
      <span class="stat-name">{name}</span>
      <span class={`stat-value num ${tone}`}>{value}</span>
      {about && <span class="quiet">{about}</span>}
    </div>
  );
}
