// Records, a line each.
import type { PastRecord } from "../api/types";
import { group, moment } from "../lib/format";
import { link } from "../lib/route";
import { Hash } from "../ui/Hash";
import { Table } from "../ui/Table";
import { nameKind } from "./kinds";
import { Life } from "./stages";

interface Props {
  records: readonly PastRecord[];
  nothing: string;
}

export function RecordTable({ records, nothing }: Props) {
  return (
    <Table
      label="Records"
      nothing={nothing}
      head={["#Record", "Kind", "Account", "Outcome", "Life", "#Taken at", "Hash"]}
      keys={records.map((record) => record.sequence)}
      rows={records.map((record) => [
        <a href={link("record", record.sequence)}>{group(record.sequence)}</a>,
        nameKind(record.type),
        record.account ? <a href={link("account", record.account)}>{record.account}</a> : "–",
        <span class={record.outcome === "accepted" ? "" : "warn"}>{record.outcome}</span>,
        <Life stage={record.stage} />,
        moment(record.time_ms),
        <Hash text={record.hash} />,
      ])}
    />
  );
}
