// A page that is loaded when it is first shown.
import type { ComponentType } from "preact";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";

type Loader = () => Promise<{ default: ComponentType }>;

export function lazy(load: Loader): ComponentType {
  let loaded: ComponentType | undefined;
  return function Lazy() {
    const page = useSignal(loaded);
    useEffect(() => {
      if (!loaded) {
        void load().then((found) => {
          loaded = found.default;
          page.value = loaded;
        });
      }
    }, []);
    const Page = page.value;
    return Page ? <Page /> : <main class="page" id="main" aria-busy="true" />;
  };
}
