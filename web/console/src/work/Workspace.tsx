// The agent's day: my contacts on the left, the chosen one in the middle, its customer on the right.

import { useEffect, useState } from 'react';
import { useActions } from '../lib/actions';
import { t, useLanguage } from '../lib/i18n';
import { go } from '../lib/router';
import { liveNow, myself, useFacts, useLive } from '../live/live';
import { paletteKey } from '../shell/Bar';
import { Contact } from './Contact';
import { CustomerPanel } from './CustomerPanel';
import { Inbox } from './Inbox';
import { useContact } from './contact';

export function Workspace({ selected }: { selected: string | null }) {
  const [filter, setFilter] = useState('');
  const waitingForMe = useLive((l) => myself(l)?.work.find((w) => w.work !== 'alerting')?.interaction);
  const speech = useLanguage();
  useEffect(() => { document.title = `${t('nav.work')} · ringdesk`; }, [speech]);
  // A call that was just answered comes up by itself; what somebody chose stays.
  useEffect(() => { if (!selected && waitingForMe) go(`/w/${waitingForMe}`, 'replace'); }, [selected, waitingForMe]);
  useFacts((fact) => {
    const me = liveNow().me?.agent;
    if (fact.fact === 'connected' && fact.agent === me && fact.interaction) {
      const on = selected && myself(liveNow())?.work.find((w) => w.interaction === selected && w.work !== 'wrap_up');
      if (!on) go(`/w/${fact.interaction}`);
    }
    // What is done is done: the next one comes up.
    if (fact.fact === 'wrap_up_over' && fact.agent === me && fact.interaction === selected) {
      const next = myself(liveNow())?.work.find((w) => w.interaction !== selected && w.work !== 'alerting');
      go(next ? `/w/${next.interaction}` : '/w', 'replace');
    }
  });
  return (
    <div className="grid h-full min-h-0 grid-cols-1 mid:grid-cols-[17rem_1fr] wide:grid-cols-[18rem_1fr_21rem]">
      <div className={`min-h-0 overflow-y-auto border-r border-line bg-panel ${selected ? 'hidden mid:block' : ''}`}>
        <Inbox selected={selected} filter={filter} onFilter={setFilter} />
      </div>
      {!selected && <h1 className="sr-only">{t('nav.work')}</h1>}
      {selected ? <Open key={selected} id={selected} /> : <div className="hidden place-content-center p-8 text-center text-soft mid:grid wide:col-span-2"><p aria-hidden="true" className="text-[3rem] leading-none">◫</p><p className="mt-3 text-[1.1rem]">{t('work.choose')}</p><p className="mt-1">{t('work.choose.keys', { key: paletteKey })}</p></div>}
    </div>
  );
}

function Open({ id }: { id: string }) {
  const contact = useContact(id);
  const [profile, setProfile] = useState(false);
  useActions([{ id: 'view.profile', label: 'work.profile', group: 'view', run: () => setProfile((was) => !was) }]);
  return (
    <>
      <Contact contact={contact} onProfile={() => setProfile(true)} />
      <aside className={`${profile ? 'fixed inset-y-0 right-0 z-30 w-[min(22rem,100vw)] shadow-xl' : 'hidden'} min-h-0 overflow-y-auto border-l border-line bg-panel wide:static wide:block wide:w-auto wide:shadow-none`} aria-label={t('work.profile')}>
        <CustomerPanel contact={contact} onClose={profile ? () => setProfile(false) : undefined} />
      </aside>
    </>
  );
}
