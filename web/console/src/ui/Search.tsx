import { useEffect, useRef, useState, type RefObject } from 'react';

/** A search field that asks when the typing pauses. */
export function Search({ value, label, onChange, field }: { value: string; label: string; onChange: (text: string) => void; field?: RefObject<HTMLInputElement | null> }) {
  const [text, setText] = useState(value);
  const own = useRef<HTMLInputElement>(null);
  const input = field ?? own;
  useEffect(() => setText(value), [value]);
  useEffect(() => {
    if (text.trim() === value) return;
    const wait = setTimeout(() => onChange(text.trim()), 250);
    return () => clearTimeout(wait);
  }, [text, value]);
  return <input ref={input} type="search" className="field w-64" value={text} onChange={(e) => setText(e.target.value)} aria-label={label} placeholder={label} onKeyDown={(e) => { if (e.key === 'Escape') e.currentTarget.blur(); }} />;
}
