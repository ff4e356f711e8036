import sys,time,tempfile,random,os
from pathlib import Path
from tests.benchmarks.bench_history import make_sweep, make_fills
from setoff.shared.machine.batch import ZERO
from setoff.shared.machine.epoch import EpochRun
from setoff.watcher.dispute import epoch_record
from setoff.watcher.dispute.epoch_files import EpochFiles
from setoff.watcher.dispute.epoch_record import EpochRecord, build
def main():
    for name,(m,b) in (("sweep",make_sweep(1000,8)),("fills",make_fills()),("scan",make_sweep(1000,8,owed=0))):
        d=Path(tempfile.mkdtemp())/"e"
        t=time.process_time(); run=EpochRun(m.copy(),b,ZERO); run.root; h=time.process_time()-t
        t=time.process_time(); EpochRun(m.copy(),b,ZERO).end; p=time.process_time()-t
        f=EpochFiles(d)
        t=time.process_time(); w=time.time(); build(f,b,m.copy); c=time.process_time()-t
        r=EpochRecord(m.hash(),b,ZERO,f)
        assert r.root==run.root and r.end==run.end
        n=r._files.steps
        size=sum(x.stat().st_size for x in d.iterdir())
        print(name,n,"steps; plain",p,"history",h,"recorded",c,time.time()-w, "bytes/step",size/n, {x.name:x.stat().st_size for x in d.iterdir()})
        rng=random.Random(1)
        for _ in range(6):
            i=rng.randrange(len(r._files.inputs)); st=r._files.inputs[i]; pos=(i<<20)+rng.randrange(st.steps)
            times=[]
            for lev in range(8):
                t=time.process_time(); a=r.children(lev,pos>>(35-5*lev)); times.append((time.process_time()-t)*1e3)
                assert a==run.children(lev,pos>>(35-5*lev))
            t=time.process_time(); a=r.path(pos); times.append((time.process_time()-t)*1e3); assert a==run.path(pos)
            t=time.process_time(); a=r.proof(pos); times.append((time.process_time()-t)*1e3); assert a==run.proof(pos)
            print([round(x,1) for x in times])
        for pos in (run and [ (5<<30)+7, (0<<30)+(900<<20)+3, (len(b)<<30)-1, 2**35-1, (1<<20)-1]):
            assert r.proof(pos)==run.proof(pos) and r.leaf(pos)==run.leaf(pos)
if __name__=="__main__": main()
